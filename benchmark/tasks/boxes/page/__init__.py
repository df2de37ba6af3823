"""What a report page says about a table of boxes beyond its numbers, from stored records."""
