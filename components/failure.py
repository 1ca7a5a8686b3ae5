"""Log the next command when the engine cannot create, change or delete a resource."""

import functools

import pulumi

ADVICE = (
    "Next: correct what the errors here say, then run pulumi up --stack {stack}. It continues where this update "
    "ended, and says if bin/idr recover --stack {stack} is needed before."
)


def log_next_step(stack: str) -> None:
    """Register a hook that logs the advice once if the update fails. The engine prints it with the errors at the end.

    Not in a preview, which creates nothing.
    """
    if pulumi.runtime.is_dry_run():
        return

    @functools.cache
    def log_advice() -> None:
        pulumi.log.error(ADVICE.format(stack=stack))

    def failed(_: pulumi.ErrorHookArgs) -> bool:
        log_advice()
        return False  # no retry: a request whose answer was lost could create an object twice (ADR 25)

    hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("next-step", failed)])

    def bind(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=hooks))
        return pulumi.ResourceTransformationResult(args.props, opts)

    # Runs in this process. With register_resource_transform the engine would call back for each resource.
    pulumi.runtime.register_stack_transformation(bind)
