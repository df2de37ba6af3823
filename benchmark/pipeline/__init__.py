"""From a plan to stored records: what every task measures with, whatever it makes of heatmaps."""
