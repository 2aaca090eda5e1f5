"""The plan in words: text for a terminal, delimited tables, the mathematics on a page."""
