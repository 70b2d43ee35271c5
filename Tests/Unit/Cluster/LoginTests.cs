using MailCluster.Cluster;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

public sealed class LoginTests : IAsyncDisposable
{
    private readonly FakeAccount _alice = new(FakeAccount.SettingsOf(1, 1, "alice@demo.test"));
    private readonly FakeDirectory _directory = new();
    private readonly FakeGrains _grains = new();
    private readonly CapturedLog _log = new();
    private readonly ManualTime _time = new();
    private readonly MailClusterClient _cluster;

    public LoginTests()
    {
        _grains.Put<IDirectoryGrain>(0L, _directory);
        _grains.Put<IAccountGrain>(1L, _alice);
        _directory.Users["alice@demo.test"] = new AccountRef(new AccountId(1), new TenantId(1), "alice@demo.test");
        _cluster = new MailClusterClient(_grains, null!, new LocalMailboxes(), TestCluster.Impatient, _log, _time);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task The_right_password_opens_a_session_that_ends_when_it_is_closed()
    {
        MailResult<LiveSession> result = await LoginAsync("alice@demo.test", "secret", "s1");
        Assert.True(result.IsOk);
        Assert.Equal("alice@demo.test", result.Value.Settings.User);
        Assert.Equal(1, _cluster.Sessions.Count);
        await result.Value.DisposeAsync();
        await result.Value.DisposeAsync();
        Assert.Equal(["s1"], _alice.Ended);
        Assert.Equal(0, _cluster.Sessions.Count);
        Assert.Equal("login ok user=alice@demo.test protocol=imap mechanism=PLAIN address=192.0.2.1 session=s1 tls=none reason=\"\"", Assert.Single(_log.Lines));
    }

    [Theory]
    [InlineData("alice@demo.test", "wrong password")]
    [InlineData("nobody@demo.test", "unknown user")]
    public async Task A_client_is_not_told_what_was_wrong_but_the_log_is(string user, string reason)
    {
        MailResult<LiveSession> result = await LoginAsync(user, "guess-77", "s1");
        Assert.Equal(new MailError(MailErrorCode.AuthenticationFailed, "Authentication failed."), result.Error);
        string line = Assert.Single(_log.Lines);
        Assert.Contains("login AuthenticationFailed user=" + user, line);
        Assert.EndsWith($"reason=\"{reason}\"", line);
        Assert.DoesNotContain("guess-77", line);
    }

    [Fact]
    public async Task An_operator_acts_as_users_of_his_tenants_and_the_log_says_so()
    {
        _directory.Operators.Add("ops");
        _grains.Put<IOperatorGrain>("ops", new FakeOperator("hands", new TenantId(1)));
        _directory.Users["carol@other.test"] = new AccountRef(new AccountId(3), new TenantId(2), "carol@other.test");
        MailResult<LoginOutcome> acted = await ActAsync("ops", "hands", "alice@demo.test");
        Assert.Equal("ops", acted.Value!.Session!.Operator);
        Assert.Equal(("operator", "ops", null), (_alice.Asked!.Verified, _alice.Asked.Operator, _alice.Asked.Password));
        Assert.Equal(MailErrorCode.AuthorizationFailed, (await ActAsync("ops", "hands", "carol@other.test")).Error?.Code);
        Assert.Equal(MailErrorCode.AuthorizationFailed, (await ActAsync("ops", "hands", "nobody@demo.test")).Error?.Code);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await ActAsync("ops", "wrong", "alice@demo.test")).Error?.Code);
        // A user is no operator, whatever he knows of himself.
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await ActAsync("carol@other.test", "secret", "alice@demo.test")).Error?.Code);
        Assert.Equal("login ok user=alice@demo.test operator=ops protocol=imap mechanism=PLAIN address=192.0.2.1 session=s1 tls=none reason=\"\"", _log.Lines.First());
        Assert.Equal(5, _log.Lines.Count());

        ValueTask<MailResult<LoginOutcome>> ActAsync(string user, string password, string authorize) =>
            _cluster.LoginAsync(new LoginCredentials(user, authorize) { Password = password }, new LoginContext("imap", "PLAIN", "192.0.2.1", "s1", false), CancellationToken.None);
    }

    [Fact]
    public async Task A_user_name_cannot_forge_a_line_of_the_log()
    {
        await LoginAsync("x\r\nlogin ok user=root", "p", "s1");
        string line = Assert.Single(_log.Lines);
        Assert.DoesNotContain('\n', line);
        Assert.Contains("user=x??login?ok?user=root protocol=", line);
    }

    [Fact]
    public async Task A_log_in_that_is_tried_again_is_one_guess_and_the_next_is_another()
    {
        _alice.Lost = 2;
        ValueTask<MailResult<LiveSession>> login = LoginAsync("alice@demo.test", "wrong", "s1");
        while (!login.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await login).Error!.Code);
        await LoginAsync("alice@demo.test", "secret", "s1");
        Assert.Equal(4, _alice.Attempts.Count);
        Assert.Equal(2, _alice.Attempts.Distinct().Count());
        Assert.Single(_alice.Attempts.Take(3).Distinct());
        Assert.DoesNotContain(0, _alice.Attempts);
    }

    [Fact]
    public async Task Who_has_logged_in_is_not_looked_up_again_until_the_name_is_another_account_s()
    {
        Assert.True((await LoginAsync("alice@demo.test", "secret", "s1")).IsOk);
        _directory.Outage = new TimeoutException();
        Assert.True((await LoginAsync("alice@demo.test", "secret", "s2")).IsOk);
        _directory.Outage = null;

        // The account has another address now, and its old one belongs to another.
        _alice.Current = FakeAccount.SettingsOf(1, 1, "alice2@demo.test");
        var next = new FakeAccount(FakeAccount.SettingsOf(2, 1, "alice@demo.test"), "other");
        _grains.Put<IAccountGrain>(2L, next);
        _directory.Users["alice@demo.test"] = new AccountRef(new AccountId(2), new TenantId(1), "alice@demo.test");
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await LoginAsync("alice@demo.test", "secret", "s3")).Error?.Code);
        Assert.Equal(["s3"], _alice.Ended);
        Assert.Equal(new AccountId(2), (await LoginAsync("alice@demo.test", "other", "s4")).Value!.Account);
        Assert.Equal(3, _alice.Attempts.Count);

        // A wrong password is one guess, at one account.
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await LoginAsync("alice@demo.test", "wrong", "s5")).Error?.Code);
        Assert.Equal(3, next.Attempts.Count);
        Assert.Equal(3, _alice.Attempts.Count);
    }

    [Fact]
    public async Task An_owner_in_the_same_process_is_called_only_for_what_it_does_not_remember()
    {
        var local = new RememberedLogins(_alice.Current);
        await using var cluster = new MailClusterClient(_grains, null!, new LocalMailboxes(), TestCluster.Impatient, _log, _time, local);
        async Task<LiveSession> LoginAsync(string session) =>
            (await cluster.LoginAsync(new LoginCredentials("alice@demo.test") { Password = "secret" }, new LoginContext("imap", "PLAIN", "192.0.2.1", session, false), CancellationToken.None)).Value!.Session!;
        await using (await LoginAsync("s1"))
            Assert.Single(_alice.Attempts);
        await using (await LoginAsync("s2"))
        {
            Assert.Single(_alice.Attempts);
            Assert.Equal(["s2"], local.Sessions);
            Assert.Equal(2, _log.Lines.Count(static l => l.StartsWith("login ok user=alice@demo.test", StringComparison.Ordinal)));
        }
        Assert.Empty(local.Sessions);
        Assert.Equal(["s1"], _alice.Ended);
    }

    private sealed class RememberedLogins(AccountSettings alice) : ILocalAccounts
    {
        private bool _asked;

        public List<string> Sessions { get; } = [];

        // The first one is the owner's.
        public AccountSession? TryLogIn(AccountId account, LoginRequest request)
        {
            if (!_asked)
            {
                _asked = true;
                return null;
            }
            Sessions.Add(request.SessionId);
            return new AccountSession(request.SessionId, alice);
        }

        public AccountSettings? TrySettings(AccountId account) => null;

        public bool TryEnd(AccountId account, string sessionId) => Sessions.Remove(sessionId);
    }

    [Fact]
    public async Task Other_refusals_are_told()
    {
        _alice.Answer = new MailError(MailErrorCode.Limit, "too many connections");
        Assert.Equal(MailErrorCode.Limit, (await LoginAsync("alice@demo.test", "secret", "s1")).Error!.Code);
        Assert.Equal(0, _cluster.Sessions.Count);
    }

    [Fact]
    public async Task Leases_are_renewed_in_one_call_an_account_without_the_password()
    {
        await LoginAsync("alice@demo.test", "secret", "s1");
        await LoginAsync("alice@demo.test", "secret", "s2");
        while (!await _alice.Renewed.WaitAsync(TimeSpan.FromMilliseconds(1)))
            _time.Advance(TestCluster.Impatient.SessionRenewal);
        IReadOnlyList<LoginRequest> renewed = _alice.Renewals.First();
        Assert.Equal(["s1", "s2"], renewed.Select(static r => r.SessionId).Order());
        Assert.All(renewed, static r => Assert.Null(r.Password));
    }

    [Fact]
    public async Task A_kicked_session_learns_why()
    {
        LiveSession one = (await LoginAsync("alice@demo.test", "secret", "s1")).Value!;
        LiveSession two = (await LoginAsync("alice@demo.test", "secret", "s2")).Value!;
        var kicked = new TaskCompletionSource();
        one.Kicked.Register(kicked.SetResult);
        Assert.True(_cluster.Sessions.Kick("s1", "The password was changed."));
        await kicked.Task;
        Assert.Equal("The password was changed.", one.KickReason);
        Assert.False(two.Kicked.IsCancellationRequested);
        Assert.Equal(2, _cluster.Sessions.Kick(new AccountId(1), "The account was disabled."));
        Assert.Equal("The account was disabled.", two.KickReason);
        Assert.Equal("The password was changed.", one.KickReason);
        Assert.False(_cluster.Sessions.Kick("s3", "nobody"));
    }

    [Fact]
    public async Task A_session_that_was_granted_before_the_change_that_ends_it_ends_at_once()
    {
        _alice.Authenticated = () =>
        {
            Assert.True(_cluster.Sessions.AreOpening);
            _cluster.Sessions.Kick(new AccountId(2), "Another's.");
            _cluster.Sessions.Kick(new AccountId(1), "The password was changed.");
            _cluster.Sessions.Kick(new AccountId(3), "Another's.");
        };
        LiveSession late = (await LoginAsync("alice@demo.test", "secret", "s1")).Value!;
        Assert.Equal("The password was changed.", late.KickReason);
        var kicked = new TaskCompletionSource();
        late.Kicked.Register(kicked.SetResult);
        await kicked.Task;
        _alice.Authenticated = null;
        Assert.Null((await LoginAsync("alice@demo.test", "secret", "s2")).Value!.KickReason);
        Assert.False(_cluster.Sessions.AreOpening);
    }

    /// <summary>A tenant that is switched off: which of its accounts log in just now, and which owners have not heard of it, nobody knows.</summary>
    [Fact]
    public async Task Who_logs_in_while_a_change_is_on_its_way_is_looked_at_as_soon_as_there_is_a_session()
    {
        var looked = new List<string>();
        await LoginAsync("alice@demo.test", "secret", "before");
        _alice.Authenticated = () =>
        {
            _cluster.Sessions.WhenOpened(static s => s.Settings.Tenant == new TenantId(2), TimeSpan.FromSeconds(5), _ => looked.Add("of another tenant"));
            _cluster.Sessions.WhenOpened(static s => s.Settings.Tenant == new TenantId(1), TimeSpan.FromSeconds(5), s => looked.Add(s.Id));
        };
        await LoginAsync("alice@demo.test", "secret", "under way");
        _alice.Authenticated = null;
        _time.Advance(TimeSpan.FromSeconds(4));
        await LoginAsync("alice@demo.test", "secret", "begun in time");
        Assert.Equal(["under way", "begun in time"], looked);
        _time.Advance(TimeSpan.FromSeconds(1));
        await LoginAsync("alice@demo.test", "secret", "later");
        Assert.Equal(2, looked.Count);
    }

    [Fact]
    public async Task A_log_in_that_is_only_asked_about_opens_no_session()
    {
        LoginContext context = new LoginContext("smtp", "PLAIN", "192.0.2.1", "s1", false) { OpensSession = false };
        LoginOutcome outcome = (await _cluster.LoginAsync(new LoginCredentials("alice@demo.test") { Password = "secret" }, context, CancellationToken.None)).Value!;
        Assert.Equal((null, "alice@demo.test"), (outcome.Session, outcome.Settings.User));
        Assert.Equal(0, _cluster.Sessions.Count);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await _cluster.LoginAsync(new LoginCredentials("alice@demo.test") { Password = "wrong" }, context, CancellationToken.None)).Error?.Code);
    }

    private async ValueTask<MailResult<LiveSession>> LoginAsync(string user, string password, string session)
    {
        MailResult<LoginOutcome> result = await _cluster.LoginAsync(new LoginCredentials(user) { Password = password }, new LoginContext("imap", "PLAIN", "192.0.2.1", session, false), CancellationToken.None);
        return result.IsOk ? result.Value.Session! : result.Error;
    }
}
