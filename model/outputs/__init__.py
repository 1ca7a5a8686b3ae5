"""What a stack tells people and other tools: a versioned contract, made from the plan and from what `up` has learned.

`contract` says what is exported; every other module is one view. All of them are pure.
"""
