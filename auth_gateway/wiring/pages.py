"""The pages' templates, texts and looks. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.catalogues import shipped_texts
from auth_gateway.api.provider.assets import Assets, assets_of
from auth_gateway.api.provider.pages import Pages, templates
from auth_gateway.core.brand import Brand, dark_accent, light_accent
from auth_gateway.service import Service
from auth_gateway.settings import Settings


def add(app: FastAPI, service: Service) -> None:
    """Serve what pages load."""
    assets = _assets(_brand(service.gateway.settings))
    app.add_api_route("/assets/{name}", assets.get_asset, methods=["GET"], include_in_schema=False)


def pages(service: Service) -> Pages:
    """What every page is rendered by."""
    settings = service.gateway.settings
    brand = _brand(settings)
    return Pages(
        templates=templates(settings.public_url, _assets(brand), brand),
        texts=shipped_texts(),
        default_language=settings.language,
    )


def _brand(settings: Settings) -> Brand:
    colour = settings.brand_colour
    return Brand(name=settings.brand_name, light=light_accent(colour), dark=dark_accent(colour))


def _assets(brand: Brand) -> Assets:
    return assets_of(brand)
