"""What a stack tells people and other tools: a versioned contract, derived from the plan and what `up` has learned.

`contract` says what is exported; every other module is one view. All of them are pure.
"""
