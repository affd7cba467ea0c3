"""The pages' templates, texts and looks. No rules."""

from dataclasses import replace

from fastapi import FastAPI

from auth_gateway.adapters.catalogues import shipped_texts
from auth_gateway.adapters.logo import read_logo
from auth_gateway.api.provider.assets import Assets, assets_of
from auth_gateway.api.provider.pages import Pages, templates
from auth_gateway.core.brand import Brand, dark_accent, light_accent
from auth_gateway.opening import CannotStart
from auth_gateway.service import Service
from auth_gateway.settings import Settings


def add(app: FastAPI, service: Service) -> None:
    """Serve what pages load.

    Raises: CannotStart where the logo is none.
    """
    _, assets = _look(service.gateway.settings)
    app.add_api_route("/assets/{name}", assets.get_asset, methods=["GET"], include_in_schema=False)


def pages(service: Service) -> Pages:
    """What every page is rendered by.

    Raises: CannotStart where the logo is none.
    """
    settings = service.gateway.settings
    brand, assets = _look(settings)
    return Pages(
        templates=templates(settings.public_url, assets, brand),
        texts=shipped_texts(),
        default_language=settings.language,
        is_https=settings.is_https,
    )


def _look(settings: Settings) -> tuple[Brand, Assets]:
    colour = settings.brand_colour
    brand = Brand(name=settings.brand_name, light=light_accent(colour), dark=dark_accent(colour))
    if settings.brand_logo is None:
        return brand, assets_of(brand)
    try:
        name, logo = read_logo(settings.brand_logo)
    except ValueError as error:
        raise CannotStart(f"BRAND_LOGO {error}") from None
    brand = replace(brand, logo=name)
    return brand, assets_of(brand, logo)
