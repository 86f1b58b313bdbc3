"""How metric series are kept and asked about."""
