using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>PASS (RFC 1939 section 7).</summary>
internal static class Pass
{
    public static async ValueTask RunAsync(Pop3Session session, Authorization state, string argument)
    {
        if (state.User is not { } user)
        {
            session.Bad("USER comes before PASS");
            return;
        }
        session.State = new Authorization();
        await LogIn.EndAsync(session, await session.Services.Sasl.PasswordAsync("USER", user, argument, session.LogsIn(), session.Gone));
    }
}
