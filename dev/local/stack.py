"""Creates Pulumi.local.yaml from the template beside this file, with values that are generated on this machine."""

import secrets
import shutil
import subprocess
from pathlib import Path

import yaml

from dev.local.steps import ROOT, run

TEMPLATE = Path(__file__).with_name("Pulumi.local.yaml")
STACK_FILE = ROOT / "Pulumi.local.yaml"
LOCAL = ROOT / ".local"
NAME = "local"
STATE = LOCAL / "state"
PASSPHRASE = LOCAL / "passphrase"
OPERATOR_KEY = LOCAL / "ssh" / "id_ed25519"
CLOUDS = LOCAL / "cloud" / "clouds.yaml"
CLOUD = "idr-local"


def prepare() -> None:
    """Create the stack and its file if they are missing, and set the cloud's current credentials."""
    _private_folder(LOCAL)
    _private_folder(OPERATOR_KEY.parent)
    if not PASSPHRASE.exists():
        _write_private(PASSPHRASE, secrets.token_urlsafe(32))
    if not OPERATOR_KEY.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator of the local IDR", "-f", str(OPERATOR_KEY)])
    if not STACK_FILE.exists():
        shutil.copy(TEMPLATE, STACK_FILE)
        STACK_FILE.chmod(0o600)
    _pulumi("stack", "select", "local", "--create")
    config = yaml.safe_load(STACK_FILE.read_text())["config"]
    if "idr:stackSecret" not in config:
        _set_secret("idr:stackSecret", secrets.token_hex(32))
    _pulumi("config", "set", "--path", "idr:operators[0]", OPERATOR_KEY.with_suffix(".pub").read_text().strip())
    _give_credentials()


def others() -> list[str]:
    """Return the names of other stacks whose state is in this checkout. They may be real deployments."""
    return sorted({file.stem for file in STATE.glob(".pulumi/stacks/**/*.json")} - {NAME})


def belongings() -> list[Path]:
    """Return the existing files of the stack `local` and its cloud."""
    mine = [LOCAL / "cloud", LOCAL / "ssh", STACK_FILE]
    if others():
        # Earlier versions used this passphrase for every stack of this checkout, so it is kept for the others.
        mine += [path for path in STATE.glob(f".pulumi/*/**/{NAME}*") if path.stem.split(".")[0] == NAME]
    else:
        mine.append(LOCAL)
    return [path for path in mine if path.exists()]


def forget() -> None:
    """Delete the stack `local`: its cloud's files, state, secrets and stack file. Other stacks keep theirs."""
    for path in belongings():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _give_credentials() -> None:
    auth = yaml.safe_load(CLOUDS.read_text())["clouds"][CLOUD]["auth"]
    plain = {
        "authUrl": auth["auth_url"],
        "userName": auth["username"],
        "tenantName": auth["project_name"],
        "userDomainId": auth["user_domain_id"],
        "projectDomainId": auth["project_domain_id"],
    }
    for key, value in plain.items():
        _pulumi("config", "set", f"openstack:{key}", value)
    if _pulumi("config", "get", "openstack:password", check=False).strip() != auth["password"]:
        _set_secret("openstack:password", auth["password"])


def _set_secret(key: str, value: str) -> None:
    # On standard input: command lines are visible in the process list.
    run(["pulumi", "config", "set", "--stack", "local", "--secret", key], text_input=value)


def _pulumi(*arguments: str, check: bool = True) -> str:
    command = ["pulumi", *arguments, *([] if arguments[0] == "stack" else ["--stack", "local"])]
    if check:
        return run(command, capture=True)
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    ).stdout


def _private_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
