"""Attribution methods: how the heatmap of a class is made, one file a method."""
