"""What the query-service answers, in Python: one module per question.

Statements and rules are those of the Go service, over the same file, which is opened
for reading alone and for one answer at a time: nothing is held open between two pages
of a list, and a file that was replaced is simply the one that the next answer reads.
"""

__all__: list[str] = []
