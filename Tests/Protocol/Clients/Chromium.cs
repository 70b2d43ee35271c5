using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>A headless Chromium, driven over its DevTools protocol.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly DirectoryInfo _profile = Directory.CreateTempSubdirectory("mailcluster-chromium-");
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _asked = new();
    private Process? _process;
    private Task _reading = Task.CompletedTask;
    private int _number;

    private Chromium()
    {
    }

    /// <summary>Starts it, or skips the test where it is not installed.</summary>
    public static async Task<Chromium> StartAsync()
    {
        Program.Need("chromium");
        var chromium = new Chromium();
        try
        {
            await chromium.RunAsync();
            return chromium;
        }
        catch
        {
            await chromium.DisposeAsync();
            throw;
        }
    }

    /// <summary>A page in a context of its own: no cookies of the others.</summary>
    public async Task<ChromiumPage> PageAsync()
    {
        JsonNode context = await CallAsync("Target.createBrowserContext", []);
        JsonNode target = await CallAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank", ["browserContextId"] = (string?)context["browserContextId"], ["width"] = 1400, ["height"] = 900 });
        JsonNode session = await CallAsync("Target.attachToTarget", new JsonObject { ["targetId"] = (string?)target["targetId"], ["flatten"] = true });
        return new ChromiumPage(this, (string)session["sessionId"]!);
    }

    /// <summary>What a command of the protocol answers; an error is thrown.</summary>
    public async Task<JsonNode> CallAsync(string method, JsonObject parameters, string? session = null)
    {
        int id = Interlocked.Increment(ref _number);
        var answer = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answer;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (session is not null)
            message["sessionId"] = session;
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, default);
        }
        finally
        {
            _sending.Release();
        }
        JsonNode? answered = await answer.Task.WaitAsync(Program.Patience);
        Assert.True(answered?["error"] is null, $"{method}: {answered?["error"]}");
        return answered!["result"]!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            _process.Kill(entireProcessTree: true);
        await _reading.WaitAsync(Program.Patience);
        if (_process is not null)
            await _process.WaitForExitAsync();
        _process?.Dispose();
        _socket.Dispose();
        _sending.Dispose();
        _profile.Delete(true);
    }

    private async Task RunAsync()
    {
        // Without a sandbox, as tests may run as root.
        _process = Process.Start(new ProcessStartInfo("chromium",
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0", $"--user-data-dir={_profile.FullName}", "about:blank"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        Match listening;
        do
        {
            string line = await _process.StandardError.ReadLineAsync().WaitAsync(Program.Patience) ?? throw new InvalidOperationException("Chromium ended.");
            listening = Regex.Match(line, @"DevTools listening on (ws:\S+)");
        }
        while (!listening.Success);
        _process.ErrorDataReceived += static (_, _) => { };
        Task errors = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        await _socket.ConnectAsync(new Uri(listening.Groups[1].Value), default);
        _reading = Task.WhenAll(errors, ReadAsync());
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult received = await _socket.ReceiveAsync(buffer.AsMemory(), default);
                if (received.MessageType == WebSocketMessageType.Close)
                    break;
                message.Write(buffer, 0, received.Count);
                if (!received.EndOfMessage)
                    continue;
                JsonNode said = JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length))!;
                message.SetLength(0);
                if (said["id"] is { } id && _asked.TryRemove((int)id, out TaskCompletionSource<JsonNode?>? answer))
                    answer.SetResult(said);
            }
        }
        catch (WebSocketException)
        {
            // It was ended.
        }
        foreach (TaskCompletionSource<JsonNode?> answer in _asked.Values)
            answer.TrySetException(new InvalidOperationException("Chromium is gone."));
    }
}

/// <summary>One page of <see cref="Chromium"/>. Elements are JavaScript expressions.</summary>
internal sealed class ChromiumPage(Chromium chromium, string session)
{
    public Task GoToAsync(string url) => chromium.CallAsync("Page.navigate", new JsonObject { ["url"] = url }, session);

    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        JsonNode answer = await chromium.CallAsync(
            "Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true, ["userGesture"] = true }, session);
        Assert.True(answer["exceptionDetails"] is null, $"{expression}: {answer["exceptionDetails"]}");
        return answer["result"]!["value"];
    }

    /// <summary>Until an expression is true; while the page changes it may also fail.</summary>
    public async Task UntilAsync(string expression)
    {
        long until = Environment.TickCount64 + (long)Program.Patience.TotalMilliseconds;
        string guarded = $"(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()";
        while ((bool?)await EvaluateAsync(guarded) != true)
        {
            if (Environment.TickCount64 > until)
            {
                string picture = Path.Combine(AppContext.BaseDirectory, "failed.png");
                await ScreenshotAsync(picture);
                Assert.Fail($"It did not come: {expression}; see {picture}\n{await EvaluateAsync("document.body.innerText")}");
            }
            await Task.Delay(50);
        }
    }

    /// <summary>A real click on the middle of an element, once it is there.</summary>
    public async Task ClickAsync(string element)
    {
        await UntilAsync($"({element}).getClientRects().length");
        JsonNode at = (await EvaluateAsync($$"""
            (() => {
                let e = {{element}};
                e.scrollIntoView({ block: 'nearest' });
                let r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
                for (let w = e.ownerDocument.defaultView; w !== w.parent; w = w.parent) {
                    let frame = w.frameElement.getBoundingClientRect();
                    x += frame.x;
                    y += frame.y;
                }
                return [x, y];
            })()
            """))!;
        foreach (string type in new[] { "mouseMoved", "mousePressed", "mouseReleased" })
        {
            await chromium.CallAsync(
                "Input.dispatchMouseEvent",
                new JsonObject { ["type"] = type, ["x"] = (double)at[0]!, ["y"] = (double)at[1]!, ["button"] = type == "mouseMoved" ? "none" : "left", ["clickCount"] = type == "mouseMoved" ? 0 : 1 }, session);
        }
    }

    /// <summary>Text into an element, which is clicked; "\r" at its end is the Enter key.</summary>
    public async Task TypeAsync(string element, string text)
    {
        await ClickAsync(element);
        await chromium.CallAsync("Input.insertText", new JsonObject { ["text"] = text.TrimEnd('\r') }, session);
        if (!text.EndsWith('\r'))
            return;
        foreach (string type in new[] { "keyDown", "keyUp" })
            await chromium.CallAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = type, ["key"] = "Enter", ["code"] = "Enter", ["windowsVirtualKeyCode"] = 13, ["text"] = type == "keyDown" ? "\r" : "" }, session);
    }

    public async Task ScreenshotAsync(string path)
    {
        JsonNode picture = await chromium.CallAsync("Page.captureScreenshot", [], session);
        await File.WriteAllBytesAsync(path, Convert.FromBase64String((string)picture["data"]!));
    }
}
