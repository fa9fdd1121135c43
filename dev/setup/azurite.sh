#!/usr/bin/env bash
# Installs Azurite, the storage emulator, into .tools/azurite, in the versions of the lock file beside this script.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "Node 18 or later with npm is needed for Azurite, the storage emulator, and was not found on the path." >&2
    echo "Install it (https://nodejs.org/), then run make again." >&2
    exit 1
fi
version=$(node --version 2>/dev/null </dev/null || true)
major=${version#v}
major=${major%%.*}
if ! [ "${major:-0}" -ge 18 ] 2>/dev/null; then
    echo "Node 18 or later is needed for Azurite, the storage emulator; found ${version:-none that runs}." >&2
    exit 1
fi
echo "Installing Azurite ..."
mkdir -p .tools/azurite
cp dev/setup/azurite/package.json dev/setup/azurite/package-lock.json .tools/azurite/
npm ci --prefix .tools/azurite --no-audit --no-fund --loglevel=error </dev/null
touch .tools/azurite/.installed
