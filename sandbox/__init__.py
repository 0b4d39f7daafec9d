"""A local emulator of the Jimeng visual API: the other side of the wire.

It imports nothing of the studio, so that a misunderstanding of the protocol cannot be made twice by
the same code. Inside this package
"task" is the provider's word: one accepted submission and the pictures that come of it.
"""
