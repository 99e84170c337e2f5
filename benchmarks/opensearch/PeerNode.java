import java.nio.file.Path; import java.util.*;
import org.opensearch.node.*; import org.opensearch.env.Environment; import org.opensearch.common.settings.Settings;
public class PeerNode extends Node {
  PeerNode(Environment e){ super(e, List.of(org.opensearch.transport.Netty4Plugin.class, org.opensearch.analysis.common.CommonAnalysisPlugin.class, org.opensearch.painless.PainlessPlugin.class), false); }
  public static void main(String[] a) throws Exception {
    Settings s = Settings.builder().put("path.home", a[0]).put("http.port", a[1]).put("transport.port","19300").put("http.type","netty4").put("transport.type","netty4").put("discovery.type","single-node").put("cluster.name","peer").put("node.name","peer").put("cluster.routing.allocation.disk.threshold_enabled", false).build();
    Environment e = InternalSettingsPreparer.prepareEnvironment(s, Map.of(), Path.of(a[0],"config"), () -> "peer");
    PeerNode n = new PeerNode(e); n.start(); System.out.println("started"); Thread.currentThread().join();
  }
}
