"""The door: protocols come in, are checked, and leave as the journal's messages."""
