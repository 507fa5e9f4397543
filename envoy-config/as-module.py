#!/usr/bin/env python3
"""Prints a configuration of Envoy with the plugin (FILE) as one with the native module (NAME): the same gate."""
import re
import sys

PLUGIN = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
MODULE = """\
{0}"@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
{0}dynamic_module_config: {{name: {1}, do_not_close: true}}
{0}filter_name: jotgate
{0}filter_config:
"""


def as_module(lines, name):
    lines = iter(lines)
    found = 0
    for line in lines:
        if PLUGIN not in line:
            yield line
            continue
        found += 1
        indent = line[: len(line) - len(line.lstrip())]
        yield MODULE.format(indent, name)
        # Its own options end where the gate's configuration begins, which stands one level less deep from now on.
        for line in lines:
            if re.fullmatch(rf"{indent}  configuration:\n", line):
                break
        for line in lines:
            if line.strip() and not line.startswith(indent):
                yield line
                break
            yield line.removeprefix("  ")
    if not found:
        sys.exit("as-module: there is no plugin")


with open(sys.argv[1], encoding="utf-8") as file:
    sys.stdout.writelines(as_module(file, sys.argv[2]))
