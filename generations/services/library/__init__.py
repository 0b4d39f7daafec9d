"""The library: reference pictures, saved prompts, presets. One module each."""
