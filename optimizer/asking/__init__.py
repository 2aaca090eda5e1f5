"""Questions put to one solved program: what is changed, by how much that moves the optimum, and what proves it."""
