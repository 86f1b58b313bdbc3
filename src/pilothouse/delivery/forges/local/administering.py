"""The built-in forge's users and tokens, as somebody may see and change them."""

from __future__ import annotations

from pilothouse.delivery.forges.errors import AccessError, InvalidError, MissingError
from pilothouse.delivery.forges.local.changing import LocalChanging
from pilothouse.delivery.forges.local.house import BOT
from pilothouse.delivery.forges.local.people import Token
from pilothouse.delivery.forges.model import User


class LocalAdministering(LocalChanging):
    """Administrators look after everybody, everybody after himself."""

    def members(self, organization: str) -> dict[str, str]:
        """Who belongs to an organisation, with what he may do in all of its repositories."""
        if not self._acting:
            raise AccessError("this needs a token: `pilothouse forge token LOGIN` makes one")
        if not self._house.people.is_organization(organization):
            raise MissingError(f"there is no organisation {organization[:64]!r}")
        return self._house.people.members(organization)

    def users(self) -> tuple[User, ...]:
        """All users, for who has a name himself."""
        if not self._acting:
            raise AccessError("this needs a token: `pilothouse forge token LOGIN` makes one")
        return self._house.people.all()

    def add_user(
        self, login: str, name: str = "", email: str = "", is_bot: bool = False, is_admin: bool = False
    ) -> User:
        """Add a user, or change one; administrators may."""
        self._administrator()
        return self._house.people.add(login, name, email, is_bot, is_admin)

    def remove_user(self, login: str) -> None:
        """Take a user away; administrators may, and nobody takes Pilothouse or himself away."""
        self._administrator()
        if login.lower() in (BOT, self.me.login.lower()):
            raise InvalidError(f"login: {login} has to stay")
        self._house.people.remove(login)

    def delete_repository(self, repository: str) -> None:
        """Take a repository away, for good."""
        self._house.repositories.remove(self.kept(repository, "admin"))

    def configure(
        self, repository: str, description: str | None = None, private: bool | None = None,
        archived: bool | None = None, default_branch: str = "",
    ) -> None:  # fmt: skip
        """Change what a repository is said to be; None leaves it."""
        kept, repositories = self.kept(repository, "admin"), self._house.repositories
        given = {"description": description and description[:10_000], "private": private, "archived": archived}
        values = {name: value for name, value in given.items() if value is not None}
        if values:
            repositories.describe(kept, **values)
        if default_branch:
            if default_branch not in self.branches(repository):
                raise MissingError(f"{kept.full_name} has no branch {default_branch[:100]!r}")
            with self._house.store.writing() as write:
                repositories.set_default_branch(write, kept, default_branch)

    def add_token(self, login: str, name: str = "", may_write: bool = True, seconds: float = 0.0) -> str:
        """A new token of a user."""
        self._himself(login)
        return self._house.people.add_token(login, name, may_write, seconds)

    def tokens(self, login: str) -> tuple[Token, ...]:
        """A user's tokens, without their secrets."""
        self._himself(login)
        if not self._house.people.is_user(login):
            raise MissingError(f"there is no user {login[:64]!r}")
        return self._house.people.tokens(login)

    def revoke_token(self, login: str, token: int) -> None:
        """End a token."""
        self._himself(login)
        self._house.people.revoke(login, token)

    def _administrator(self) -> None:
        acting = self._acting
        if not (acting and acting.is_admin and acting.may_write):
            raise AccessError("only administrators may do this: use the token in admin.token of the forge's directory")

    def _himself(self, login: str) -> None:
        acting = self._acting
        if not (acting and acting.may_write and acting.user.login.lower() == login.lower()):
            self._administrator()
