"""The outputs of a stack: a versioned contract, derived from the plan and from the results of `up`.

`contract` defines the exports; every other module is one view. All modules are pure.
"""
