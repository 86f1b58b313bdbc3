"""What profiles cost to take, to keep and to ask about."""
