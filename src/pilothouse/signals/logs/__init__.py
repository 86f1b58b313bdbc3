"""How log records are kept and asked about."""
