"""Networks that SEC's losses train: what their input is, and how long and how fast they learn."""
