"""GrabCut, which several localizers share."""
