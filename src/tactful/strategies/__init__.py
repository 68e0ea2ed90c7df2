"""One file per way of choosing. The file's name is the plug-in's name."""
