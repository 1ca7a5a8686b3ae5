"""The outputs of a stack: a versioned contract, derived from the plan and from what `up` has learned.

`contract` says what is exported; every other module is one view. All of them are pure.
"""
