"""The five products: each module tells its stories and finds what its rows do not say."""

from products import aspendos, kalei, neni, talentprompt, voyager

PRODUCTS = [module.PRODUCT for module in (kalei, neni, talentprompt, aspendos, voyager)]
