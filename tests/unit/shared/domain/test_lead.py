"""Where a person can have agreed to be called, and where nobody can."""

from __future__ import annotations

import pytest

from shared.domain.lead import names_a_directory


@pytest.mark.parametrize(
    "source",
    [
        "Google Maps",
        "google-maps",
        "ficha de Google",
        "Páginas Amarillas",
        "paginasamarillas.es",
        "PÁGINAS BLANCAS",
        "Infobel",
        "Registro Mercantil",
        "directorio de peluquerías",
        "Guía telefónica",
        "guía  telefónica de Madrid",
        "listado comprado",
        "lista de salones comprada",
        "base de datos adquirida",
        "scraping de webs",
        "bought list",
    ],
)
def test_directories_registers_and_bought_lists(source) -> None:
    assert names_a_directory(source)


@pytest.mark.parametrize(
    "source",
    [
        "formulario web",
        "feria del sector",
        "anuncio con formulario",
        "descarga de guía en la web",
        "la directora lo pidió por WhatsApp",
        "formulario tras una compra",
        "anuncio en Instagram con formulario",
        "jornada de la cámara de comercio",
    ],
)
def test_places_where_people_agree(source) -> None:
    assert not names_a_directory(source)
