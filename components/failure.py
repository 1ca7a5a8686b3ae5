"""Says the next command when the engine cannot create, change or delete a resource."""

import functools

import pulumi

ADVICE = (
    "Next: correct what the errors here say, then run pulumi up --stack {stack}. It continues where this update "
    "ended, and says if bin/idr recover --stack {stack} is needed before."
)


def say_next_step(stack: str) -> None:
    """Have a failed update say, once, what to do next. The engine prints it among the errors at the end.

    A preview creates nothing, so that nothing of it can fail.
    """
    if pulumi.runtime.is_dry_run():
        return

    @functools.cache
    def say() -> None:
        pulumi.log.error(ADVICE.format(stack=stack))

    def failed(_: pulumi.ErrorHookArgs) -> bool:
        say()
        return False  # no second try: a request whose answer was lost could create an object twice (ADR 25)

    hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("next-step", failed)])

    def bind(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=hooks))
        return pulumi.ResourceTransformationResult(args.props, opts)

    # In this process. For a transform (register_resource_transform) the engine calls back for each resource.
    pulumi.runtime.register_stack_transformation(bind)
