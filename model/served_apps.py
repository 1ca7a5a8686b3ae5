"""The applications that each release serves beside OMERO.web, and contradictions between them."""

from collections.abc import Iterator, Mapping, Sequence

from model import addresses, site_apps, web_apps
from model.release_settings import Release
from model.role_description import Distribution
from model.site_apps import StackWeb
from model.web_apps import App


def of(web: StackWeb, release: Release) -> tuple[App, ...]:
    """Return the applications of a release; `web` has those of the whole stack."""
    own = release.web.apps
    return web_apps.named((web.apps or ()) if own is None else own, web.own())


def problems(web: StackWeb, releases: Mapping[str, Release], distribution: Distribution) -> Iterator[str]:
    """Yield unknown names, keys of applications that are not served, and applications that contradict each other."""
    served = {name: of(web, release) for name, release in releases.items()}
    yield from _unknown(web, releases)
    yield from _without_packages(web, served, distribution)
    for name, apps in served.items():
        yield from _beside_each_other(f"releases.{name}", apps)
    yield from _keys_of_others(web, releases, served)


def _unknown(web: StackWeb, releases: Mapping[str, Release]) -> Iterator[str]:
    yield from web_apps.unknown("web", web.apps or (), web.site_apps)
    for name, release in releases.items():
        yield from web_apps.unknown(f"releases.{name}.web", release.web.apps or (), web.site_apps)


def _without_packages(web: StackWeb, served: Mapping[str, Sequence[App]], distribution: Distribution) -> Iterator[str]:
    if web.requirements and distribution == Distribution.DEMO:
        yield "web.requirements: the demo's nodes have OMERO.web's packages from their image, and no others"
    of_site = {app.name for apps in served.values() for app in apps if app.addresses}
    if of_site and not web.requirements and distribution == Distribution.OFFICIAL:
        yield f"web.requirements: name the lock file with the packages of {', '.join(sorted(of_site))}"


def _beside_each_other(where: str, apps: Sequence[App]) -> Iterator[str]:
    known = [app.name for app in apps if not app.addresses]
    for app in apps:
        for path, named in site_apps.paths(app):
            if hidden := addresses.hidden_by(path, known):
                yield f"{named}: its {path} would hide {hidden}, which is the program's own ({where})"
    if len(roots := [app.name for app in apps if app.is_root]) > 1:
        yield f"{where}: {' and '.join(roots)} both have / for their page"


def _keys_of_others(
    web: StackWeb, releases: Mapping[str, Release], served: Mapping[str, Sequence[App]]
) -> Iterator[str]:
    names = {release: [app.name for app in apps] for release, apps in served.items()}
    yield from web_apps.unserved("web", web.config, {app for apps in names.values() for app in apps})
    for name, release in releases.items():
        yield from web_apps.unserved(f"releases.{name}.web", release.web.config, names[name])
        for group_name, group in release.nodes.items():
            where = f"releases.{name}.nodes.{group_name}.web"
            yield from web_apps.unserved(where, group.web.config, names[name])
