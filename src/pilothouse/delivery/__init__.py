"""How a change gets to production: pipelines, triggers, chat commands, merging, previews, promotion."""
