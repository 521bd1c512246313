"""Emotion from faces and voices: one calibrated timeline, per person, from face, voice and both together."""
