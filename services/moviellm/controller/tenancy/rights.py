"""What the controller's door asks of callers: who they are, and the role that each method needs."""

from collections.abc import Mapping

from moviellm import rpc
from moviellm.controller.settings import ControllerSettings
from moviellm.dataset import Stage
from moviellm.security.identity import Guard, Principal, Role, bearer_of
from moviellm.security.pem import PairFiles
from moviellm.security.secured_channel import Peer
from moviellm.security.tokens import ServiceToken, StaticTokens

_SERVICE = "/moviellm.v1.MovieDatasetService/"

ROLES: Mapping[str, Role] = {
    f"{_SERVICE}CreateMovieDataset": Role.WRITER,
    f"{_SERVICE}GetMovieDataset": Role.READER,
    f"{_SERVICE}ListMovieDatasets": Role.READER,
    f"{_SERVICE}CancelMovieDataset": Role.WRITER,
    f"{_SERVICE}RetryMovieDataset": Role.WRITER,
    f"{_SERVICE}DeleteMovieDataset": Role.WRITER,
    f"{_SERVICE}WatchMovieDataset": Role.READER,
    f"{_SERVICE}ListArtifacts": Role.READER,
    f"{_SERVICE}DownloadArtifact": Role.READER,
}
"""A method that is not here is open to nobody, where callers are asked who they are."""

DEPLOYMENT_ROLES: Mapping[str, Role] = {"/moviellm.v1.DeploymentService/DiagnoseDeployment": Role.OPERATOR}
"""Findings tell of addresses and models of the deployment."""


class EitherToken:
    """Knows requesters by JSON Web Tokens or by a tokens file; a token of three parts is the former."""

    def __init__(self, *, static: Guard, signed: Guard) -> None:
        self._static = static
        self._signed = signed

    async def identify(self, metadata: Mapping[str, str]) -> Principal:
        """Raises Unauthenticated for a token that neither knows."""
        guard = self._signed if bearer_of(metadata).count(".") == 2 else self._static
        return await guard.identify(metadata)


def guard_of(settings: ControllerSettings) -> Guard | None:
    """Who knows the requesters; None where nobody asks."""
    static = StaticTokens(settings.tokens_file) if settings.tokens_file else None
    if not settings.oidc_issuer:
        return static
    from moviellm.controller.tenancy.pyjwt_tokens import Claims, SignedTokens
    from moviellm.controller.tenancy.signing_keys import keys_at

    signed = SignedTokens(
        keys=keys_at(settings.oidc_keys),
        claims=Claims(
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            tenant=settings.oidc_tenant_claim,
            roles=settings.oidc_roles_claim,
        ),
    )
    return EitherToken(static=static, signed=signed) if static else signed


def security_of(settings: ControllerSettings) -> rpc.Security:
    """What guards the requesters' door."""
    return rpc.Security(
        files=settings.server_files,
        guard=guard_of(settings),
        roles={**ROLES, **DEPLOYMENT_ROLES},
        health_listen=settings.health_listen,
    )


def peer_of(settings: ControllerSettings, stage: Stage) -> Peer:
    """How a service is reached."""
    token = ServiceToken(settings.service_token_file).to_send if settings.service_token_file else None
    if not settings.services_ca_file or stage.value in settings.services_in_the_clear:
        return Peer(token=token)
    return Peer(
        tls=True,
        files=PairFiles(settings.services_cert_file, settings.services_key_file, settings.services_ca_file),
        server_name=settings.services_server_name,
        token=token,
    )


def other_controller(settings: ControllerSettings) -> Peer:
    """How another controller on the same store is reached; its requesters' tokens go with their calls."""
    if not settings.tls_cert_file:
        return Peer()
    files = PairFiles(
        settings.services_cert_file or settings.tls_cert_file,
        settings.services_key_file or settings.tls_key_file,
        settings.services_ca_file or settings.tls_client_ca_file,
    )
    return Peer(tls=True, files=files, server_name=settings.services_server_name)
