"""Jackpots, links, players, contributions."""

from django.db import models


class ApiKey(models.Model):
    """A key of an operator."""

    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return self.name

    @property
    def is_authenticated(self) -> bool:
        """Tell DRF that there is a caller."""
        return True


class Player(models.Model):
    """Somebody who plays."""

    reference = models.CharField(max_length=64, unique=True)
    currency = models.CharField(max_length=8)
    is_blocked = models.BooleanField(default=False)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return self.reference


class Instance(models.Model):
    """A jackpot."""

    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=8)
    percent = models.DecimalField(max_digits=11, decimal_places=8)
    status = models.CharField(max_length=16, default="active")
    opt_in_required = models.BooleanField(default=False)
    opens_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return self.name


class Link(models.Model):
    """A contribution to the source reaches the target too."""

    source = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="links")
    target = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        app_label = "naive"
        ordering = ("position",)
        unique_together = (("source", "target"),)

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"


class OptIn(models.Model):
    """A player takes part."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="opt_ins")
    player = models.ForeignKey(Player, on_delete=models.CASCADE)

    class Meta:
        app_label = "naive"
        unique_together = (("instance", "player"),)

    def __str__(self) -> str:
        return f"{self.player_id} in {self.instance_id}"


class Pot(models.Model):
    """A level of a jackpot, with its meter."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="pots")
    name = models.CharField(max_length=64)
    share = models.DecimalField(max_digits=9, decimal_places=8, default=1)
    value = models.DecimalField(max_digits=28, decimal_places=8, default=0)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return self.name


class ContributionRequest(models.Model):
    """A request under its idempotency key."""

    key = models.CharField(max_length=255, unique=True)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT)
    player = models.ForeignKey(Player, on_delete=models.PROTECT)
    base_wager = models.DecimalField(max_digits=28, decimal_places=8)
    currency = models.CharField(max_length=8)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return self.key


class Contribution(models.Model):
    """What a request did to one jackpot."""

    request = models.ForeignKey(
        ContributionRequest, on_delete=models.PROTECT, related_name="contributions"
    )
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT)
    player = models.ForeignKey(Player, on_delete=models.PROTECT)
    role = models.CharField(max_length=8)
    status = models.CharField(max_length=8)
    error = models.CharField(max_length=64, blank=True)
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return f"{self.amount} to {self.instance_id}"


class PotAmount(models.Model):
    """A contribution's part in one pot, and the meter after it."""

    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="pots")
    pot = models.ForeignKey(Pot, on_delete=models.PROTECT)
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    value_after = models.DecimalField(max_digits=28, decimal_places=8)

    class Meta:
        app_label = "naive"

    def __str__(self) -> str:
        return str(self.amount)
