"""What the controller can be told."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from moviellm.controller.tenancy.quotas import Quota
from moviellm.dataset import Stage
from moviellm.pocket.vocabulary import STYLES
from moviellm.security.addresses import is_loopback
from moviellm.security.pem import PairFiles
from moviellm.security.tokens import read_tokens
from moviellm.settings import ServiceSettings


class ControllerSettings(ServiceSettings):
    """Environment variables MOVIELLM_CONTROLLER_…"""

    model_config = SettingsConfigDict(
        env_prefix="MOVIELLM_CONTROLLER_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    listen: str = Field(default="127.0.0.1:8600", pattern=r"^.+:\d{1,5}$")
    """Address and port of MovieDatasetService."""

    metrics_listen: str = Field(default="127.0.0.1:8700", pattern=r"^.+:\d{1,5}$")
    """Address and port of the Prometheus endpoint."""

    scripting: str = "127.0.0.1:8601"
    """gRPC target of the scripting service."""

    inversion: str = "127.0.0.1:8602"
    """gRPC target of the inversion service."""

    rendering: str = "127.0.0.1:8603"
    """gRPC target of the rendering service (Ray Serve's gRPC proxy)."""

    rendering_application: str = "rendering"
    """Name of the Ray Serve application behind that target."""

    qa: str = "127.0.0.1:8604"
    """gRPC target of the question service."""

    export: str = "127.0.0.1:8605"
    """gRPC target of the export service."""

    models: tuple[str, ...] = ("pocket",)
    """Picture models that requests may name; the first is the default."""

    styles: tuple[str, ...] = tuple(style.keyword for style in STYLES)
    """Style presets that requests may name."""

    max_movies: int = Field(default=1000, ge=1)
    """Most movies a dataset may have."""

    max_side: int = Field(default=11, ge=1, le=64)
    """Most chapters a movie, scenes a chapter and frames a scene; the paper's movies have 11 of each."""

    references: int = Field(default=10, ge=3, le=60)
    """Style reference pictures generated for each movie (the paper's number)."""

    inversion_steps: int = Field(default=0, ge=0)
    """Steps of textual inversion; 0 leaves them to the inversion service."""

    negative_prompt: str = ""
    """What no frame should show; meant for models that need it."""

    datasets_in_flight: int = Field(default=8, ge=1)
    """Datasets worked on at once; later ones wait as PENDING. A tenant with none under way never waits for others."""

    datasets_unfinished: int = Field(default=10_000, ge=1)
    """Datasets that may wait and be made at once; more are refused with RESOURCE_EXHAUSTED."""

    movies_in_flight: int = Field(default=4, ge=1)
    """Movies of one dataset worked on at once."""

    scripts_in_flight: int = Field(default=8, ge=1)
    """Calls to the scripting service at once."""

    styles_in_flight: int = Field(default=2, ge=1)
    """Styles in work; with one more than are learnt at once, the next one's references are rendered meanwhile."""

    scenes_in_flight: int = Field(default=4, ge=1)
    """Scenes rendered at once; enough to keep every replica's next batch waiting."""

    questions_in_flight: int = Field(default=8, ge=1)
    """Calls to the question service at once."""

    exports_in_flight: int = Field(default=1, ge=1)
    """Movies exported at once."""

    retry_seconds: float = Field(default=900.0, gt=0)
    """How long a unit is tried again while its service or the store cannot be reached."""

    lost_calls: int = Field(default=10, ge=1)
    """How often the service may die under a unit's call before the unit is given up: it may be what kills it."""

    llm_retry_seconds: float = Field(default=60.0, gt=0)
    """How long a unit is tried again while the service says that its language model does not answer."""

    estimate_seconds_per_frame: float = Field(default=0.2, ge=0)
    """Seconds one frame takes on one replica, for estimates."""

    estimate_seconds_per_style: float = Field(default=40.0, ge=0)
    """Seconds one style takes, for estimates."""

    llm_prices: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Prices of a million prompt and completion tokens by model, as JSON: {"gpt-4o-mini": [0.15, 0.6]}."""

    estimate_bytes_per_frame: int = Field(default=10_000, ge=0)
    """Bytes of one frame, for estimates."""

    lease_seconds: float = Field(default=10.0, ge=1)
    """How long the lease in the store holds when the controller that leads is silent; another one leads within 1.5
    times this. Without Kubernetes several controllers may share a store: one leads, the others stand by."""

    lease_address: str = ""
    """Where other controllers on the store reach this one, as host:port; the machine's IP and own port when empty."""

    tokens_file: str = ""
    """Requesters by their tokens, as JSON, read again when it changes: see docs/operating.md; empty for none."""

    oidc_issuer: str = ""
    """The identity provider whose JSON Web Tokens requesters may send: the claim "iss"; empty for none."""

    oidc_audience: str = ""
    """What those tokens must be for: the claim "aud"."""

    oidc_keys: str = ""
    """The identity provider's public keys (JWKS): an https address or a file."""

    oidc_tenant_claim: str = Field(default="tenant", min_length=1)
    """The claim that names the requester's tenant; "a.b" is b within a."""

    oidc_roles_claim: str = Field(default="roles", min_length=1)
    """The claim that lists the requester's roles (reader, writer, operator), or holds them parted by spaces."""

    quotas: dict[str, Quota] = Field(default_factory=dict)
    """Most that tenants may have under way, as JSON, "*" for those not named; 0 for no limit:
    {"*": {"datasets": 4, "frames": 20000, "llm_tokens": 2000000}}."""

    services_ca_file: str = ""
    """Authorities (PEM) that sign the services' certificates; set to call the services by TLS."""

    services_cert_file: str = ""
    """The certificate (PEM) that the controller shows the services; empty for none."""

    services_key_file: str = ""
    """The key of that certificate (PEM, not encrypted)."""

    services_server_name: str = ""
    """The name that the services' certificates are for; the host of each address when empty."""

    services_in_the_clear: tuple[Stage, ...] = ()
    """Services that are called without TLS all the same, such as ["rendering"]."""

    kubernetes: bool = False
    """Follow MovieDataset resources of the cluster this runs in, and let one of several replicas lead."""

    kubernetes_namespace: str = ""
    """Namespace of the Lease and of resources made over gRPC; the pod's own when empty."""

    kubernetes_all_namespaces: bool = False
    """Follow resources of all namespaces instead of that one; needs a ClusterRole."""

    kubernetes_labels: dict[str, str] = Field(default_factory=dict)
    """Labels that resources must carry to be followed, as JSON; those made over gRPC carry them."""

    kubernetes_lease: str = "moviellm-controller"
    """Name of the Lease that the leading replica holds."""

    kubernetes_lease_seconds: float = Field(default=10.0, ge=1)
    """How long the Lease holds when its leader is silent; another replica leads within 1.5 times this."""

    kubernetes_address: str = ""
    """Where the other replicas reach this one to hand calls on, as host:port; the pod's IP and own port when empty."""

    kubernetes_status_seconds: float = Field(default=2.0, ge=0.05)
    """Least time between two statuses written of one resource."""

    @property
    def ways_to_know_callers(self) -> dict[str, bool]:
        """Variables by which requesters prove who they are, and whether each is set."""
        return {
            self.variable("tokens_file"): bool(self.tokens_file),
            self.variable("oidc_issuer"): bool(self.oidc_issuer),
            self.variable("tls_client_ca_file"): bool(self.tls_client_ca_file),
        }

    @property
    def services_files(self) -> PairFiles:
        """The files for TLS towards the services."""
        return PairFiles(self.services_cert_file, self.services_key_file, self.services_ca_file)

    @model_validator(mode="after")
    def _knows_requesters(self) -> Self:
        if self.tokens_file:
            self.usable("tokens_file", lambda: read_tokens(self.tokens_file))
        if self.oidc_issuer and not (self.oidc_audience and self.oidc_keys):
            needed = f"{self.variable('oidc_audience')} and {self.variable('oidc_keys')}"
            raise ValueError(f"{self.variable('oidc_issuer')} needs {needed}")
        return self

    @model_validator(mode="after")
    def _keeps_its_token(self) -> Self:
        """The services' token is told to nobody on the way."""
        self.usable("services_ca_file", self.services_files.read)
        if self.insecure or not self.service_token_file:
            return self
        for stage in Stage:
            is_plain = not self.services_ca_file or stage in self.services_in_the_clear
            if is_plain and not is_loopback(getattr(self, stage.value)):
                raise ValueError(
                    f"{self.variable('service_token_file')} would be sent to {stage} in the clear: set "
                    f"{self.variable('services_ca_file')}, or {self.variable('insecure')}=true where something else "
                    "guards the way"
                )
        return self
