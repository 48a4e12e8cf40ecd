"""ScriptingService: from a theme to an outline, its chapters and their scenes (paper, stage 1)."""
