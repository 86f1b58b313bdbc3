"""Delivery's times: a webhook until the first step runs, events a second, pull requests merged a minute."""
