"""Neuron names (Network Dissection): which concept the units of a layer segment."""
