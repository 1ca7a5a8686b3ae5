"""Loads programs of this repository that `import` cannot load: those without a suffix, or outside its packages."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import patch


def load(file: Path) -> ModuleType:
    """Load a program's file as a new module, which shares nothing with the module of another test.

    The modules of sbin/NAME are in lib/NAME, as on a node.
    """
    loader = importlib.machinery.SourceFileLoader(file.stem.replace("-", "_"), str(file))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    modules = str(file.parent.parent / "lib" / file.name)
    # Byte code would appear in lists of a role's files.
    unwritten = patch.object(sys, "dont_write_bytecode", True)
    with unwritten, patch.object(sys, "path", [modules, *sys.path]), patch.dict(sys.modules):
        loader.exec_module(module)
    return module
