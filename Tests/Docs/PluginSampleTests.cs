using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Shop;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.Docs;

/// <summary>
/// The shop of <c>Samples/Plugins</c>: the commands on its page are sent to it, and what it answers is on the page. With the variable WASMJIT_UPDATE_GOLDEN=1 the answers are
/// written there.
/// </summary>
public sealed partial class PluginSampleTests
{
    private static readonly string Folder = PageTests.InRepository("Samples/Plugins");

    [Fact]
    public async Task TheShopAnswersAsThePageShows()
    {
        await using WebApplication shop = ShopApplication.Make(["--plugins", Path.Combine(Folder, "plugins"), "--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "None"]);
        await shop.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(shop.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
        var page = new Page(PageTests.InRepository("Docs/component-plug-ins.md"));
        var shown = new Dictionary<Block, string>();
        foreach (Block session in page.Blocks.Where(b => b.Language == "console"))
        {
            var answers = new StringBuilder();
            foreach (string line in session.Text.Split('\n').Where(l => l.StartsWith("$ ", StringComparison.Ordinal)))
                answers.Append(line).Append('\n').Append(await AnswerAsync(client, line[2..]));
            shown.Add(session, answers.ToString());
        }
        Assert.True(shown.Count >= 4);
        if (Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1") page.Rewrite(shown);
        else foreach ((Block block, string text) in shown) Assert.Equal(block.Text, text);
    }

    /// <summary>A cart that is being priced has the rules that there were when it came.</summary>
    [Fact]
    public void ARuleMayBeRemovedWhileACartIsPriced()
    {
        var rules = new Rules(new Stock(new Dictionary<string, uint>()));
        byte[] shipping = File.ReadAllBytes(Path.Combine(Folder, "plugins", "shipping.wat"));
        foreach (string name in new[] { "second", "first" }) rules.Put(name, shipping);
        var seen = new List<string>();
        foreach ((string name, WasmComponent component) in rules.Current)
        {
            Assert.True(rules.Remove(name));
            seen.Add($"{name}: {rules.Run(component, rule => rule.Describe())}");
        }
        Assert.Equal(["first: shipping: 4.90 for small carts", "second: shipping: 4.90 for small carts"], seen);
        Assert.Empty(rules.Current);
    }

    /// <summary>What curl would write, and the status where it is not 200.</summary>
    private static async Task<string> AnswerAsync(HttpClient client, string command)
    {
        using HttpRequestMessage request = Read(command);
        using HttpResponseMessage response = await client.SendAsync(request, CancellationToken.None);
        string body = await response.Content.ReadAsStringAsync(CancellationToken.None);
        string status = response.IsSuccessStatusCode && body.Length > 0 ? "" : $"{(int)response.StatusCode}\n";
        return body.Length > 0 ? $"{body}\n{status}" : status;
    }

    /// <summary>The request of a command line with curl.</summary>
    private static HttpRequestMessage Read(string command)
    {
        byte[]? piped = null;
        if (Edit().Match(command) is { Success: true } edit)
        {
            string text = File.ReadAllText(Path.Combine(Folder, edit.Groups["file"].Value)), place = edit.Groups["place"].Value;
            Assert.Contains(place, text, StringComparison.Ordinal);
            piped = Encoding.UTF8.GetBytes(text.Replace(place, edit.Groups["text"].Value + place, StringComparison.Ordinal));
            command = command[edit.Length..];
        }
        Match curl = Curl().Match(command);
        Assert.True(curl.Success, command);
        string Part(string name) => curl.Groups[name].Value;
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Part("path"), UriKind.Relative));
        if (Part("json") is { Length: > 0 } json) (request.Method, request.Content) = (HttpMethod.Post, new StringContent(json, Encoding.UTF8, "application/json"));
        if (Part("data") is { Length: > 0 } data) request.Content = new StringContent(data);
        if (Part("method") is { Length: > 0 } method) request.Method = new HttpMethod(method);
        if (Part("file") is { Length: > 0 } file)
            (request.Method, request.Content) = (HttpMethod.Put, new ByteArrayContent(file == "-" ? piped! : File.ReadAllBytes(Path.Combine(Folder, file))));
        return request;
    }

    [GeneratedRegex("""^curl -s(?: -X (?<method>\w+))?(?: -T (?<file>\S+))? localhost:5000(?<path>\S+)(?: --json '(?<json>[^']+)')?(?: -d '(?<data>[^']+)')?$""")]
    private static partial Regex Curl();

    [GeneratedRegex(@"^sed 's/(?<place>[^/]+)/(?<text>[^/]+) &/' (?<file>\S+) \| ")]
    private static partial Regex Edit();
}
