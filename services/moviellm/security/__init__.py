"""Who may call whom: identities, tokens, certificates, and the doorkeeper of every gRPC server."""
