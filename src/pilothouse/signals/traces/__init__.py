"""How spans are kept and asked about."""
