"""A reference harness for Table 1 of the Grad-CAM paper (Selvaraju et al., ICCV 2017)."""

__version__ = "0.1.0"
