"""Collectors for those without one: they follow log files and pods and send the lines on.

A collector is a client: it reads, sends over HTTP as any other sender does, and remembers how far it has come only
after the server has said that the lines are on disk. So a crash anywhere costs a repetition at most, and where the
server was told of the same lines, with the same bytes, it stores them once.
"""
