"""The speech model's side: OpenAI Realtime first, behind a port."""
