"""Loads programs of this repository that no `import` finds: those without a suffix, or outside its packages."""

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType


def load(file: Path) -> ModuleType:
    """Load a program's file as a new module, which shares nothing with another test's."""
    loader = importlib.machinery.SourceFileLoader(file.stem.replace("-", "_"), str(file))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
