"""The control plane's database: opened in one way, brought to its newest form, and asked who of several leads.

What stands in its tables is the business of the rooms that own them. This room knows how a database is opened
(`opening`), which forms it has had (`migrations`), and how one of several processes is chosen (`claiming`).
"""
