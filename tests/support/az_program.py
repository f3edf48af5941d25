"""Which az the client tests run: what make names in AZ_BIN, else the one on the PATH."""

import os
import shutil

AZ = os.environ.get("AZ_BIN") or shutil.which("az")
MISSING = "there is no az: `make client-test` installs one and names it in AZ_BIN"
