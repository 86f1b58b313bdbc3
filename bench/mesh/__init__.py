"""What the mesh room costs."""
