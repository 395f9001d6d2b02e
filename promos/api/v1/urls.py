"""Paths of promos."""

from django.urls import path

from promos.api.v1 import batches, claims, promos

urlpatterns = [
    # Claims first, which come most often.
    path("promos/<uuid:promo_id>/claim", claims.ClaimView.as_view(), name="promo-claim"),
    path("promos/claim", claims.ClaimCodeView.as_view(), name="promo-code-claim"),
    path("promos", promos.PromoListView.as_view(), name="promos"),
    path("promos/validate", claims.ValidationView.as_view(), name="promo-validation"),
    path("promos/<uuid:promo_id>", promos.PromoView.as_view(), name="promo"),
    path("promos/<uuid:promo_id>/games", promos.PromoGamesView.as_view(), name="promo-games"),
    path(
        "promos/<uuid:promo_id>/codes",
        batches.BatchCreationView.as_view(),
        name="promo-codes",
    ),
    path("promo-batches/<uuid:batch_id>", batches.BatchView.as_view(), name="promo-batch"),
    path(
        "promo-batches/<uuid:batch_id>/codes.csv",
        batches.BatchCodesView.as_view(),
        name="promo-batch-codes",
    ),
    path(
        "promo-batches/<uuid:batch_id>/disable",
        batches.BatchDisablingView.as_view(),
        name="promo-batch-disabling",
    ),
    path("promo-settings", promos.PromoSettingsView.as_view(), name="promo-settings"),
    path("user-promos", claims.UserPromoListView.as_view(), name="user-promos"),
    path("user-promos/<uuid:user_promo_id>", claims.UserPromoView.as_view(), name="user-promo"),
    path(
        "user-promos/<uuid:user_promo_id>/cancel",
        claims.UserPromoCancellationView.as_view(),
        name="user-promo-cancellation",
    ),
]
