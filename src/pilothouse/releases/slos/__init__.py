"""Service level objectives: declared as OpenSLO or in a short form, their burn rates, and their part in the verdict.

An `Objective` says which part of the requests must be good. `reading` reads it, `burning` says how fast its error
budget is spent over several windows, `judging` asks whether a release spends it faster than the one before.
"""
