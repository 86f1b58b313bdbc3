"""The page in the system's Chromium: how soon it can be used, how much it loads, and how smoothly it moves."""
