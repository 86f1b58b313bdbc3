"""Tests of the control plane's database."""
