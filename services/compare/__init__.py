"""Two images compared by what was read of them: layers, configuration, packages, history. And SBOMs read for it."""
